"""Messages of the volet CDA-in-HL7 with what the published rules say of each."""
