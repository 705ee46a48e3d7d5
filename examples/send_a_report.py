"""Send one laboratory result to the hub over MLLP and print its acknowledgement. Standard library only.

python examples/send_a_report.py [HOST] [PORT]
"""

import socket
import sys
from datetime import UTC, datetime

NOW = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
DOCTOR = "99700006012^MORVAN^Anne^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
BIOLOGIST = "99700005014^LEGUEN^Maud^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
SEGMENTS = [
    f"MSH|^~\\&|SGL-REMPARTS|REMPARTS^990000911^N|LABOHUB|PFI|{NOW}||ORU^R01^ORU_R01|EX{NOW}|P|2.5.1|||||FRA|"
    "UNICODE UTF-8",
    "PID|1||EX0001^^^REMPARTS&990000911&N^PI||EXEMPLE^LOUISE^LOUISE^^^^L||19700101|F||||||||||||||||||||||||PROV",
    "PV1|1|N",
    f"ORC|SC|EX{NOW}-P|EX{NOW}-F|EX{NOW}|CM||||{NOW}|||{DOCTOR}",
    f"OBR|1|EX{NOW}-P|EX{NOW}-F|GLYJ^Glycémie à jeun^99TIL|||{NOW}|||||||||{DOCTOR}||||||{NOW}||CH|F",
    "OBX|1|NM|GLYJ^Glycémie à jeun^99TIL^40193-5^Glucose à jeun^LN||5.2|mmol/L^mmol/L^UCUM|4.1-5.9|N|||F|||"
    f"{NOW}||{BIOLOGIST}",
    "SPM|1|EX1||SER^Sérum^HL70487|||||||P^Patient^HL70369||||||" + NOW,
]


def main() -> int:
    """Return 0 when the hub accepts."""
    host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 2575
    message = "".join(segment + "\r" for segment in SEGMENTS).encode()
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(b"\x0b" + message + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            data = connection.recv(4096)
            if not data:
                break
            answer += data
    text = answer.strip(b"\x0b\x1c\r").decode()
    print(text.replace("\r", "\n"))
    return 0 if "\rMSA|AA|" in text else 1


if __name__ == "__main__":
    raise SystemExit(main())
