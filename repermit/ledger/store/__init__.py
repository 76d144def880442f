"""What the stages may do to the ledger: plain functions of a `Transaction`.

One module per stretch of the path: admission, suppression and screening; approval; sending and
doubt, waves and caps; answering, snapshots and probing; erasing; reading; and the campaign as a
whole. `personal` is what goes under seal.
"""
