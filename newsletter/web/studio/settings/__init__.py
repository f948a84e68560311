"""Settings, for admins: who the magazine is, how mail leaves, what the DNS must say, when, and who works here.

Each form is one table of magazine.toml and goes the way of `newsletter apply` (ADR 18).
"""
