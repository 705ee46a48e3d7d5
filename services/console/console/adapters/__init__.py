"""Where the board meets the database, the browser and the API."""
