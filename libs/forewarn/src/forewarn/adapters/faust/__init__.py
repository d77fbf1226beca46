"""The event plane on Faust: an application whose state is exact and whose failures are loud.

What Faust 0.15 does by itself, and what is done here instead:

- It commits past messages whose agent raised: handlers run behind ``EventEngine``, which never lets an
  exception out and ends the process instead.
- It commits offsets without waiting for table changes to be stored: ``DurableTable`` confirms them first.
- It reads uncommitted messages, its commits fall behind on topics written in transactions, and it
  loses messages where nothing is committed yet: ``ReadCommittedTransport`` does none of these.
- It creates missing source topics: they must exist, ``check_topics`` says so.
"""
