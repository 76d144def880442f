"""repermit asks an old mailing list once, by mail, with a Yes and a No.

The path an address takes, from left to right:

  list ─► intake ─► LEDGER ◄─► dispatch ─► relay ─► mailbox ─► respond ─► LEDGER ─► purge ─► report
                      ▲                               └─ bounce, complaint, reply ─► inbound ─┘

Stages never import one another; they meet in the ledger. Imports only go down:
cli, runtime, config, stages, ledger, domain, errors.

list          a legacy file of addresses
recipient     one address in the campaign
relationship  what the organisation is to a recipient
policy        the table relationship x country, with the outcomes ask, exempt, withhold
screening     applying the policy
mail          the one reconfirmation mail
relay         the SMTP server that mails are handed to
token         the signed part of a link
answer        a yes or a no
opt-in        a yes with its proof
opt-out       a no, an unsubscribe or a complaint
standing      where a recipient stands
intent        the durable record, just before DATA, that a mail is about to leave
suppression   the keyed hash of an address that is never mailed
log           the append-only proof log
vault         what seals personal fields
generation    one set of vault keys
purge         erasing after the deadline
ledger        the database of one campaign, where the stages meet
"""

__version__ = "0.1.0"
