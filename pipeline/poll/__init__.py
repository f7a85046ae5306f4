"""Poll: from due feeds to raw articles. Read ``run`` first; ``decide`` holds its rules, ``parse`` the reading.

run ─▶ decide     is it due, is it new, what follows an answer: pure functions of values, ``now`` included
 ├──▶ parse       bytes → entries: charset, bounds (what is no feed, what is too much), plain (text out of markup)
 └──▶ articles    an entry → an article, with identity, sane dates and a size that fits a record
"""
