"""Pages rendered on the server, French first. No script or style from elsewhere."""
