"""The Ségur test bench: national services and laboratory systems that speak the real protocols on loopback."""
