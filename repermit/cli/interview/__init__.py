"""What `init` asks: one question after the other, in plain words, each with its consequence.

    question (what is asked, and how an answer is read)
        └─► sender, asking, balance, people, places (the questions of each part)
                └─► order (all of them; what was answered decides which come)
                        └─► options (--answer), terminal (a person) ─► values (for the config)

An answer is kept as the text that was typed; "" is what was left open.
"""
