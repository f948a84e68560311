"""How fast the product sends, beside what else sends mail: the same 48 KB letters, in one interleaved run.

    python -m tests.benchmarks.send                     SQLite (make prove ARGS=bench)
    python tests/with_postgres.py --durable python -m tests.benchmarks.send
    python -m tests.benchmarks.send --million           memory and database cost of a million rows (ARGS=bench-million)

`job` makes the issue and its readers in the product's database, `product` sends it in a fresh process, `rivals` and
`nodemailer.mjs` send the same letters, `sinks` take them, `rig` gives each run an installation of its own, and
`__main__` puts them in turn and prints ratios. docs/performance.md says what each figure means.
"""
