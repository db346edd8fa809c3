"""The ``pytopo`` command: one module a subcommand."""
