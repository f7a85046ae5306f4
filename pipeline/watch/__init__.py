"""Watching the watcher: look at the steps from outside, judge what was seen, tell people, and answer probes.

    look --Seen--> decide --Notice--> tell --> channels
      +--> metrics        +--> the heartbeat, while there is nothing to tell

Nothing here goes through the broker or is kept in the state: what has stopped must not keep its notice from being sent.
"""
