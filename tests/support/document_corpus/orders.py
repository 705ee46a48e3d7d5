"""Orders, statuses, notes, specimens."""

from tests.support.document_corpus.made import KEPT, LEAVES, MG, MMOL, OTHER, Made, notes, oru, pid, spm
from tests.support.ltw_messages import ELSEWHERE, SODIUM, WHO, obx, order


def orders() -> dict[str, Made]:
    """Return them by name."""
    result = obx(1, "NM", SODIUM, "139", f6=MMOL, f7="136-145", f8="N")
    other = obx(2, "NM", "K^Potassium^99P", "4.1", f6=MMOL)

    def state(obr: str, *pairs: tuple[str, str]) -> bytes:
        lines = []
        for rank, (status, text) in enumerate(pairs, 1):
            value = ("", "") if status in "XDWION" else ("NM", f"{rank}.5")
            lines.append(obx(rank, value[0], f"E{rank}^Examen {rank}^99P", value[1], f6=MG, f11=status))
            lines += notes(text) if text else []
        return oru(order("A1", "BIL^Bilan^99P", *lines, spm(), status=obr))

    everywhere = oru(
        order(
            "A1",
            "BIL^Bilan^99P",
            *notes("Sur la batterie", "Deux fois"),
            result,
            *notes("Sur le résultat", "Encore"),
            other,
            *notes("Sur le potassium"),
            spm(),
            f13="Fièvre au retour \\T\\ toux",
        ),
        patient=pid(notes=("Sur le patient", "Jeûne respecté")),
    )
    made = {
        "notes everywhere": everywhere,
        "notes empty": oru(order("A1", "B^Bilan^99P", *notes("", '""', "  "), result, *notes("", "Un", '""'), spm())),
        "notes alike": oru(order("A1", "B^Bilan^99P", result, *notes("Même", "Même"), other, *notes("Même"), spm())),
        "thirty lines": oru(
            order("A1", "B^Bilan^99P", result, *notes(*(f"Ligne numéro {n}" for n in range(30))), spm())
        ),
        "note repeated": oru(order("A1", "B^Bilan^99P", result, *notes("un~deux~~quatre\\.br\\cinq"), spm())),
        "note long": oru(order("A1", "B^Bilan^99P", result, *notes("mot " * 2000), spm())),
        "note with html": oru(
            order("A1", "B^Bilan^99P", result, *notes("<script>x</script> ]]> \\X00\\ &amp;"), spm())
        ),
        "note on the specimen": oru(order("A1", "B^Bilan^99P", result, spm(), *notes("Sur le tube"))),
        "instructions": oru(order("A1", "B^Bilan^99P", result, *notes("Buvez de l'eau", kind="PI"), spm())),
        "note of a single exam": oru(
            order("A1", "NA^Sodium^99P", *notes("De la batterie"), result, *notes("Du résultat"), spm())
        ),
        "note of a battery without result": oru(
            order("A1", "B^Bilan^99P", result, spm()),
            order("A2", "VIDE^Batterie vide^99P", *notes("Rien à dire")),
        ),
        "empty battery": oru(order("A1", "B^Bilan^99P", result, spm()), order("A2", "VIDE^Batterie vide^99P")),
        "conclusion of ten lines": oru(
            order("A1", "C^Conclusion^99P", obx(1, "FT", "C^Conclusion^99P", "\\.br\\".join("abcdefghij")))
        ),
        "the same exam twice": oru(order("A1", "B^Bilan^99P", result, obx(2, "NM", SODIUM, "141", f6=MMOL), spm())),
        "the same exam by OBX-4": oru(
            order(
                "A1",
                "GLY^HGPO^99P",
                *(obx(n, "NM", "G^Glycémie^99P", f"{n}.0", f4=f"T{n}", f6=MMOL) for n in (1, 2, 3)),
                spm(),
            )
        ),
        "the same exam in two orders": oru(
            order("A1", "B^Bilan^99P", result, spm()),
            order("A2", "B^Bilan^99P", obx(1, "NM", SODIUM, "120", f6=MMOL), spm("T-10")),
        ),
        "two units": oru(
            order(
                "A1",
                "G^Glycémie^99P",
                obx(1, "NM", "G^Glycémie^99P^15074-8^Glucose^LN", "5.5", f6=MMOL),
                obx(2, "NM", "G2^Glycémie^99P^2345-7^Glucose^LN", "0.99", f6="g/L"),
                spm(),
            )
        ),
        "all statuses": state(
            "F",
            ("F", "Vrai"),
            ("C", "Était 3"),
            ("X", "Tube cassé"),
            ("N", "non"),
            ("D", "ôté"),
            ("W", "pas lui"),
            ("O", "question"),
            ("R", "technique"),
        ),
        "final with a pending one": state("F", ("F", ""), ("I", "Envoyé ailleurs")),
        "partial": state("P", ("P", "Provisoire"), ("F", ""), ("I", "Demain"), ("S", "")),
        "available": state("A", ("F", ""), ("R", "")),
        "corrected": state("C", ("C", "Valeur initiale : 9"), ("F", "")),
        "one not done": state("F", ("X", "Hémolyse"), ("F", "")),
        "none done": state("X", ("X", "Hémolyse"), ("X", "")),
        "order given up": oru(
            order("A1", "B^Bilan^99P", result, spm()), order("A2", "T^TSH^99P", *notes("Tube vide"), status="X")
        ),
        "battery of one not done": state("F", ("X", "Quantité insuffisante")),
        "partial then nothing": oru(order("A1", "B^Bilan^99P", result, spm()), order("A2", "T^TSH^99P", status="I")),
        "subcontracted partly": oru(
            order(
                "A1",
                "B^Bilan^99P",
                result,
                obx(2, "NM", "V^Vitamine^99P", "30", f6=MG, f23=ELSEWHERE, f24="2 rue^^PARIS^^75014"),
                spm(),
            )
        ),
        "subcontracted by name": oru(
            order(
                "A1", "B^Bilan^99P", result, obx(2, "NM", "V^Vitamine^99P", "30", f23="LABO <Voisin> \\T\\ fils"), spm()
            )
        ),
        "subcontracted by OBX-15": oru(
            order("A1", "B^Bilan^99P", result, obx(2, "NM", "V^Vitamine^99P", "30", f15="Z9^Institut^L"), spm())
        ),
        "no prescriber": oru(
            [
                "ORC|SC||A1^SGL|DEM-9^SGL|CM",
                "OBR|1||A1^SGL|B^Bilan^99P|||20260314080500|||||||||||||||20260314111200||CH|F",
                result,
                spm(),
            ]
        ),
        "no ORC": oru(["OBR|1||A1^SGL|B^Bilan^99P|||20260314080500|||||||||||||||20260314111200||CH|F", result]),
        "no specimen": oru(order("A1", "B^Bilan^99P", result)),
        "no times": oru(
            [
                "ORC|SC||A1^SGL|DEM-9^SGL|CM",
                "OBR|1||A1^SGL|B^Bilan^99P|||||||||||||||||||||F",
                "OBX|1|NM|NA^Sodium^99P||139|mmol/L|||||F",
            ]
        ),
        "unknown section": oru(order("A1", "B^Bilan^99P", result, spm(), section="ZZ")),
        "all sections": oru(
            *(
                order(f"A{n}", f"B{n}^Bilan {n}^99P", result, spm(f"T-{n}"), section=s)
                for n, s in enumerate(("CH", "HM", "MB", "SR", "BLB", "GE", "TX", "BG", "", "VR", "IMM"))
            )
        ),
        "two hundred": oru(
            order(
                "A1",
                "B^Bilan^99P",
                *(obx(n, "NM", f"E{n}^Examen {n}^99P", f"{n}.5", f6=MG, f7="1-2", f8="H") for n in range(1, 201)),
                spm(),
            )
        ),
        "a thousand": oru(
            *(
                order(
                    f"A{b}",
                    f"B{b}^Bilan {b}^99P",
                    *(obx(n, "NM", f"E{b}.{n}^Examen {b}.{n}^99P", f"{n}.5", f6=MG) for n in range(1, 51)),
                    spm(),
                )
                for b in range(20)
            )
        ),
        "two hundred orders": oru(*(order(f"A{b}", f"B{b}^Bilan {b}^99P", result) for b in range(200))),
        "copies": oru(
            [
                each.replace("20260314111200||CH|F", f"20260314111200||CH|F|||{WHO}~{OTHER}")
                for each in order("A1", "B^Bilan^99P", result, spm())
            ]
        ),
        "hospital visit": oru(
            order("A1", "B^Bilan^99P", result, spm()), visit="PV1|1|I|CARD^12^3||||||||||||||||V77^^^CHU&1.2.3&ISO^VN"
        ),
        "emergency": oru(order("A1", "B^Bilan^99P", result, spm()), visit="PV1|1|E"),
        "visit unknown": oru(order("A1", "B^Bilan^99P", result, spm()), visit="PV1|1|U"),
        "prior results": oru(
            order("A1", "B^Bilan^99P", result, spm()),
            [
                each.replace("ORC|SC", "ORC|PR")
                for each in order("OLD", "B^Bilan^99P", obx(1, "NM", SODIUM, "131", f6=MMOL, f14="20250101080000"))
            ],
        ),
    }
    specimens = {
        "specimens several": [
            spm(),
            spm("T-10", "PLAS^Plasma^HL70487"),
            spm("T-11", "UR^Urine^HL70487", f12="1850^mL", f17="20260313080000^20260314080000"),
        ],
        "specimen in words": [spm(nature="^Liquide <de> drain")],
        "specimen local": [spm(nature="XX7^Prélèvement nasal^99P")],
        "specimen SNOMED": [spm(nature="119297000^Sang^SCT")],
        "specimen without number": ["SPM|1|||SER^Sérum^HL70487|||||||||||||20260314080500"],
        "specimen with all": [
            spm(
                f5="MOD^Modificateur^L",
                f6="EDTA^EDTA^HL70371",
                f7="PONC^Ponction^L",
                f8="LAC^Bras gauche^L",
                f10="SITE^Pli du coude^L",
                f12="5^mL",
                f14="Prélevé à domicile",
                f21="RH^Hémolysé^HL70490",
                f24="HEM^Hémolyse^HL70493",
            )
        ],
        "specimen rejected": [spm(f21="EX^Périmé^HL70490~QS^Insuffisant^HL70490")],
        "specimen by date": [spm(at="20260314", f18="20260314")],
        "container with indices": [spm(), "SAC|||T-9^SGL" + "|" * 29 + "+^plus|||2|^{index}|1"],
        "container alone numbers": ["SPM|1|||SER^Sérum^HL70487|||||||||||||20260314080500", "SAC|||TUBE-5^SGL"],
        "specimen twice": [spm(), spm()],
    }
    made |= {name: oru(order("A1", "B^Bilan^99P", result, other, *lines)) for name, lines in specimens.items()}
    made["specimens of two orders"] = oru(
        order("A1", "B^Bilan^99P", result, spm()), order("A2", "U^Urines^99P", other, spm("T-12", "UR^Urine^HL70487"))
    )
    bare = order("A1", "B^Bilan^99P", result, spm())
    made["note behind ORC"] = oru([bare[0], *notes("Sur la demande"), *bare[1:]])
    made["note behind TQ1"] = oru([*bare[:2], "TQ1|1||||||||R", *notes("Sur le délai"), *bare[2:]])
    made["note behind SAC"] = oru([*bare, "SAC|||T-9", *notes("Sur le bouchon")])
    made["collector"] = oru(
        [bare[0], bare[1].replace("20260314080500|||", "20260314080500|||INF7^LEROUX^Zoé", 1), *bare[2:]]
    )
    made["observation of a specimen"] = oru(
        order("A1", "B^Bilan^99P", result, spm(), obx(1, "NM", "VOL^Diurèse^99P", "1850", f6="mL"))
    )
    kept = {"only technical", "only pending", "only deleted", "none done"}
    made["only technical"] = state("F", ("R", ""))
    made["only pending"] = state("P", ("I", ""))
    made["only deleted"] = state("F", ("D", ""), ("W", ""))
    return {name: Made(raw, KEPT if name in kept else LEAVES) for name, raw in made.items()}
