"""Result messages of the hub's own making, as text: what laboratories send that samples rarely show."""

from tests.support.microbiology import png

WHO = "10000000017^KERADEC^Yannick^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
AT = "20260314080500"


def obx(rank: int, kind: str, code: str, value: str, **fields: str) -> str:
    """Return an OBX; `fields` by number: `f4`, `f6`, `f7`, `f8`, `f11`, `f15`, `f17`, `f19`, `f23`."""
    given = {"f11": "F", "f14": AT, "f16": WHO, **fields}
    cells = [given.get(f"f{number}", "") for number in range(6, 26)]
    return "|".join(["OBX", str(rank), kind, code, fields.get("f4", ""), value, *cells]).rstrip("|")


def order(number: str, code: str, *segments: str, section: str = "CH", status: str = "F", **fields: str) -> list[str]:
    """Return an ORC, its OBR and what follows; `fields` by number of OBR: `f13`, `f26`, `f29`."""
    given = {"f7": AT, "f16": WHO, "f22": "20260314111200", "f24": section, "f25": status, **fields}
    cells = [given.get(f"f{place}", "") for place in range(5, 30)]
    orc = f"ORC|SC||{number}^SGL|DEM-9^SGL|CM||||20260314111200|||{WHO}"
    return [orc, "|".join(["OBR", "1", "", f"{number}^SGL", code, *cells]).rstrip("|"), *segments]


def message(*orders: list[str]) -> bytes:
    """Return an ORU^R01 about one qualified patient."""
    head = [
        "MSH|^~\\&|SGL|LBM-DU-PORT^990000127^N|HUB|HUB|20260314112000+0100||ORU^R01^ORU_R01|OWN-1|P|2.5.1"
        "|||||FRA|UNICODE UTF-8",
        "PID|1||P1^^^LBM&990000127&N^PI~285076938314206^^^INS&1.2.250.1.213.1.4.10&ISO^INS"
        "||D'ARTOIS^ÉLODIE^ÉLODIE MARIE^^^^L||19850714|F|||^^^^^^BDL^^69383|||||||||||||||||||||VALI",
        "PV1|1|N",
    ]  # fmt: skip
    specimen = f"SPM|1|^T-9&SGL||SER^Sérum^HL70487|||||||P^Patient^HL70369||||||{AT}|20260314083000"
    lines = [*head, *(line for each in orders for line in each), specimen]
    return ("\r".join(lines) + "\r").encode()


_CULTURE = "CULT^Culture^99P^630-4^Bactérie identifiée^LN"
_COUNT = "NUM^Numération^99P^51480-2^Bactérie [Nombre/Volume] Urine^LN"


def culture(number: str, *names: str) -> list[str]:
    """Return a culture with a germ of each name."""
    segments = []
    for rank, name in enumerate(names, 1):
        segments.append(obx(2 * rank - 1, "CE", _CULTURE, f"{name.upper()}^{name}^99P", f4=str(rank), f8="A"))
        segments.append(obx(2 * rank, "SN", _COUNT, f">=^{rank}0000", f4=str(rank), f6="/mL^/mL^UCUM", f8="H"))
    return order(number, "ECBU^ECBU^99P", *segments, section="MB")


def antibiogram(number: str, parent: str, sub_id: str, name: str, *values: tuple[str, str, str]) -> list[str]:
    """Return the antibiogram of a germ: (antibiotic, concentration, category)."""
    method = "CMI^CMI EUCAST^99P"
    segments = [
        obx(rank, "SN", f"{drug[:3].upper()}^{drug}^99P", value, f6="mg/L^mg/L^UCUM", f8=category, f17=method)
        for rank, (drug, value, category) in enumerate(values, 1)
    ]  # fmt: skip
    code = "ATB^Antibiogramme^99P^18769-0^Antibiogramme^LN"
    of = f"CULT&Culture&99P&630-4&Bactérie identifiée&LN^{sub_id}^{name}"
    return order(number, code, *segments, section="MB", f26=of, f29=f"^{parent}&SGL")


SODIUM = "NA^Sodium^99P^2951-2^Sodium [Moles/Volume] Sérum/Plasma ; Numérique^LN"
ELSEWHERE = "BIOSPECIALITES^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000564"
MESSAGES = {
    "antibiogram before its culture": message(
        antibiogram("A2", "A1", "1", "Escherichia coli", ("Amoxicilline", ">^8", "R"), ("Gentamicine", "<=^1", "S")),
        culture("A1", "Escherichia coli"),
    ),
    "two bottles with the same numbers": message(
        culture("A1", "Staphylococcus aureus"),
        culture("B1", "Staphylococcus epidermidis"),
        antibiogram("B2", "B1", "1", "Staphylococcus epidermidis", ("Oxacilline", "^4", "R")),
        antibiogram("A2", "A1", "1", "Staphylococcus aureus", ("Oxacilline", "<=^0.25", "S")),
    ),
    "three germs, antibiograms of two": message(
        culture("A1", "Escherichia coli", "Klebsiella pneumoniae", "Candida albicans"),
        antibiogram("A3", "A1", "2", "Klebsiella pneumoniae", ("Amoxicilline", ">^8", "R")),
        antibiogram(
            "A2", "A1", "1", "Escherichia coli", ("Amoxicilline", "^2", "S"), ("Cotrimoxazole", "^2^:^38", "I")
        ),
    ),
    "LOINC first, LOINC alone, local alone": message(
        order(
            "A1",
            "24326-1^Ionogramme^LN^IONO^Ionogramme sanguin^99P",
            obx(1, "NM", "2951-2^Sodium [Moles/Volume]^LN^NA^Sodium^99P", "139", f6="mmol/L^mmol/L^UCUM", f7="136-145"),
            obx(2, "NM", "2823-3^Potassium [Moles/Volume]^LN", "4.10", f6="mmol/L^mmol/L^UCUM", f7="3.5-5.1"),
            obx(3, "NM", "XX^Examen maison^99P", "0.30", f6="UA^UA^L", f8="H"),
        )
    ),
    "statuses": message(
        order(
            "A1",
            "BIL^Bilan^99P",
            obx(1, "NM", SODIUM, "139", f6="mmol/L"),
            obx(2, "NM", "K^Potassium^99P", "4.6", f6="mmol/L", f11="C", f8="N"),
            "NTE|1|L|Valeur initialement transmise : 5.6 mmol/L.",
            obx(3, "", "LDH^LDH^99P", "", f11="X"),
            "NTE|1|L|Échantillon hémolysé.",
            obx(4, "NM", "CL^Chlore^99P", "99", f6="mmol/L", f11="R"),
            obx(5, "NM", "GLU^Glucose^99P", "5.1", f6="mmol/L", f11="N"),
        )
    ),
    "performers": message(
        order(
            "A1",
            "SPE^Spécialisés^99P",
            obx(1, "NM", "B2M^Bêta-2^99P", "42", f6="U/mL^U/mL^UCUM", f15="990000564^BIOSPECIALITES^FINEG"),
            obx(2, "CE", "FVL^Facteur V^99P", "ABS^Absence^99P", f23=ELSEWHERE, f24="2 rue^^PARIS", f25=WHO, f8="N"),
            obx(3, "NM", SODIUM, "140", f6="mmol/L", f23="LBM DU PORT^^^^^ST&1.2&ISO^FINEG^^^990000127"),
        )
    ),
    "repeated and formatted": message(
        order(
            "A1",
            "CYT^Cytologie^99P",
            obx(1, "CE", "GRAM^Gram^99P", "BGN^Bacilles à Gram négatif^99P~CGP^Cocci à Gram positif^99P"),
            obx(2, "FT", "CONC^Conclusion^99P", "Ligne 1\\.br\\Ligne 2 \\T\\ fin"),
            obx(3, "TX", "ASP^Aspect^99P", "Trouble"),
            obx(4, "SN", "TIT^Titre^99P", "^1^:^320", f7="<1:80"),
            obx(5, "SN", "HEM^Hématies^99P", "^10^-^15", f6="/[HPF]^/champ^UCUM"),
            obx(6, "ED", "IMG^Courbe^99P", f"SGL^image^png^Base64^{png()}"),
            obx(7, "RP", "URL^Lien^99P", "https://r.example.org/1^SGL^application^pdf"),
        )
    ),
}
