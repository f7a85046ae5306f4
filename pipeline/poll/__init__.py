"""Poll: from due feeds to raw articles. Read ``run`` first; all that decides is a pure function of values.

run ─▶ asking     one request, with the access and under the conditions of the feed
 ├──▶ parsing     bytes → entries, in a process of its own; ``formats`` tells RSS, JSON Feed and sitemaps apart
 │      └─ parse, items, reading (what is known is passed over), bounds (what is refused), hints, noted
 ├──▶ answers     what an answer comes to: articles to publish, a result to save
 │      ├─ decide     is it unchanged, is it new, where is the feed, when is the next poll
 │      ├─ churn      what entries are known by where guids or links do not stay
 │      ├─ rhythm, schedule, waits     when to come again, after good polls and after bad ones
 │      └─ articles, ledger     an entry → an article; what a poll counted, and gaps
 ├──▶ gaps        what a gap has cost, looked for in the site's news sitemap
 └──▶ done        the record of a poll on the topic ``polls.done``

check and discover look at one feed or site now, for a person; health says how a feed is, in one word.
"""
