from faust.types.tuples import Message

class Event:
    message: Message
