"""Reference issues of invented works, for snapshots, screenshots and measurements."""
