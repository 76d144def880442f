"""What comes back: bounces, complaints and replies, read and settled in the ledger.

mailbox ─► message ─► whose, dsn, arf, reply ─► reading ─► settle ─► ledger
"""
