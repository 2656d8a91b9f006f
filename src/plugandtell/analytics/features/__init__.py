"""What a call holds besides its words: keywords, entities, figures; and what of it is to be kept out of storage."""
