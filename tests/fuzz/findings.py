"""Inputs that once broke a target, by target and by what was wrong. Each is run again by every test run."""

FINDINGS: dict[str, dict[str, bytes]] = {
    "frames": {},
    "message": {"a header of three letters": b"MSH\rABCDEFG"},
    "batch": {},
    "decision": {
        "a header of three letters": b"MSH\rABCDEFG",
        "a letter as separator": b"MSHCM|^~\\&|A|R|C|D|2026^R01^ACK|1|P|2|R|C|D|202.1^CISIS_CDA_HL7_V2|1\r",
        "another separator, no usable signs": b"MSH#^^^^#S|G#L#H#P#1##ORU^R01#7|8#P#2.5\r",
        "foreign bytes in what is repeated": b"MSH|^~\\&|\xff\xff|L|H|P|1||ORU^R01|\xff7|P|2.5|||||FRA|UNICODE UTF-8\r",
    },
}
