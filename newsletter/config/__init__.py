"""newsletter.toml and the environment become one frozen Config."""
