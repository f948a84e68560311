"""A self-hosted newsletter builder and mailer for magazines that review things."""

__version__ = "0.1.0"
