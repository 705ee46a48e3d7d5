"""What runs a service: settings, relay, consumers, workers, HTTP, logs, traces, metrics, graceful stop."""
