"""A small world to try Wirewatch on, with no network: a local server of feeds and pages that goes on publishing.

``content/`` holds the texts (written for this project; places and people are invented), ``timetable.py`` reads them,
``world.py`` says what the outlets show at a given second, ``render.py`` and ``answers.py`` turn that into what a web
server says, and ``server.py`` is the thin shell that listens.
"""
