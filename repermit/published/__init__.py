"""What the DNS publishes of the sender's domain, and what a receiving server makes of it.

    lookup ─► spf (one record) ─► allowance (all that it includes)
           ─► dkim (the key of a selector)
           ─► dmarc (one record) ─► treewalk (whose policy holds, which domains belong together)
           ─► mailhosts (whether a domain takes mail)

Nothing is sent here, and nothing is judged: `check` does that.

Source: RFC 7208 (SPF), RFC 6376 (DKIM), RFC 9989 (DMARC), RFC 5321 and 7505 (MX).
"""
