"""The parts that custom_ids are made of."""

ID = r"(?P<generation_id>[0-9a-z]{10})"
POSITION = r"(?P<position>[1-8])"
ROUND = r"(?P<round_id>[0-9a-z]{10})"
DRAFT = r"(?P<draft_id>[0-9a-z]{10})"
