"""The crash exam: senders and the mail server are killed again and again in mid-send, and the server misbehaves.

    python -m tests.acceptance.exam --seed 1 --mode ask
    python -m tests.acceptance.exam --seeds 5                 (make prove ARGS=exam-sqlite; exam-postgresql)

`server` takes the mail, fails on purpose, and writes down what it took before it says so; `senders` runs and kills the
product's processes; `verdict` judges from the server's log and the ledger. `__main__` is the exam.
"""
