"""Wirewatch: one article's way from a feed to search and alert.

    feeds --poll--> articles.raw --enrich--> articles.enriched --settle--> articles.ready --+--index--> index
            |            ^   key: article id                    one writer                  +--alert--> outbox
            +-> fetch queue --fetch--+ (the page, later, under the same id)                             --> channels
    ingest --backfill--> backfill.raw --(the same steps)--> backfill.ready --index--> index     never an alert
    any step --> <topic>.dead

Read in this order: ``article`` (the record), ``ports`` (what the steps need), ``poll/run``, ``worker`` (the loop that
every other step shares), ``enrich/run`` and one stage, ``settle/decide``, ``index/run``, ``alert/run``. The steps meet
only at topics; adapters are named only in ``wiring``; imports flow one way: cli, wiring, adapters, ports, words.
"""
