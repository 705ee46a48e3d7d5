"""HL7 v2 as the French laboratory world speaks it: code tables, acknowledgements, ZAM, and the CDA-in-HL7 volet."""
