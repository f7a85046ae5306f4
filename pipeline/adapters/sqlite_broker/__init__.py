"""The broker of embedded mode: topics, partitions and groups in one SQLite file that several processes share.

``broker`` is the port and ``consumer`` its readers; ``group`` decides who of a group's members reads what, ``roster``
keeps their rows; ``log_file`` is the file and its transactions, ``schema`` how it is made.
"""

from pipeline.adapters.sqlite_broker.broker import SqliteBroker

__all__ = ["SqliteBroker"]
