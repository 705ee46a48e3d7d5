"""Makes the patient's identity certain, or stops the report."""
