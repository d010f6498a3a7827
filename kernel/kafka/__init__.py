"""The topics on Apache Kafka: fetching, publishing, looking, and the topics themselves made and compared."""
