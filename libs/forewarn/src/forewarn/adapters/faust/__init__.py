"""The event plane on Faust: an application whose state is exact and whose failures are loud.

Faust 0.15 commits past messages whose agent raised, and commits offsets before table changes are stored. Here handlers
run behind ``EventEngine``, which lets no exception out and ends the process instead, and ``DurableTable`` confirms
changes before their messages are acknowledged. What needs Faust's private methods is in ``internals``.
"""
