"""Names in any usual spelling and script. Values and rules only: no text is fetched and no query is read here."""
