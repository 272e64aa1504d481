"""What staff and shoppers tell each other beside the record: links, problems, recall alerts, unusual activity."""
