"""The subcommands of ``forewarn``."""
