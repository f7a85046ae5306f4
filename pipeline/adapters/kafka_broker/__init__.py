"""The broker of cluster mode: Kafka, through kafka-python.

``broker`` is the port and ``consumer`` its readers; ``member`` is one membership of a group, ``producer`` publishes,
``topic_list`` makes topics; ``location`` reads the URL, ``records`` turns words into Kafka's and back, ``judge`` says
what an error means, ``shelf`` keeps what was fetched
and not yet asked for, ``watchdog`` notices a partition that stands still.
"""

from pipeline.adapters.kafka_broker.broker import KafkaBroker
from pipeline.adapters.kafka_broker.location import KafkaLocation, parse_location

__all__ = ["KafkaBroker", "KafkaLocation", "parse_location"]
