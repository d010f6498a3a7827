from faust.topics import Topic
from mode import Service

class Conductor(Service):
    def add(self, topic: Topic) -> None: ...
