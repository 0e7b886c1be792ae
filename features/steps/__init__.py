"""The steps, by the words they stand under."""
