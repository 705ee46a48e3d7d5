"""How dmp-feeder touches the world: tables, HTTPS, keys."""
