"""What the stages may do to the ledger: plain functions of a `Transaction`.

One module per stretch of the path: campaign, admission, sending, answering, erasing, reading.
"""
