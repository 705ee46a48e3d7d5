"""Cultures, germs, antibiograms."""

from tests.support.document_corpus.made import MG, Made, notes, oru, spm
from tests.support.ltw_messages import antibiogram, culture, obx, order


def germs() -> dict[str, Made]:
    """Return them by name."""
    code = "CULT^Culture^99P^630-4^Bactérie identifiée^LN"

    def germ(value: str, kind: str = "CE", *more: str) -> bytes:
        return oru(
            order(
                "A1",
                "ECBU^ECBU^99P",
                obx(1, kind, code, value, f4="1", f8="A"),
                *more,
                spm(nature="UR^Urine^HL70487"),
                section="MB",
            )
        )

    count = obx(2, "SN", "NUM^Numération^99P", ">=^1000000", f4="1", f6="/mL^/mL^UCUM")
    inline = [
        obx(n, "CE", f"AB{n}^Antibio {n}^99P", f"{c}^{w}^HL70078", f4="1", f8=c)
        for n, (c, w) in enumerate((("S", "Sensible"), ("I", "Intermédiaire"), ("R", "Résistant")), 2)
    ]
    made = {
        "germ SNOMED": germ("112283007^Escherichia coli^SCT", "CE", count),
        "germ NCBI": germ("562^Escherichia coli^NCBI"),
        "germ SNOMED and NCBI": germ("112283007^Escherichia coli^SCT^562^E. coli^NCBI"),
        "germ local and SNOMED": germ("ECO^E. coli^99P^112283007^Escherichia coli^SCT"),
        "germ local": germ("ECO^E. coli^99P", "CE", count),
        "germ text": germ("^Bacille à Gram négatif"),
        "germ ST": germ("Escherichia coli", "ST", count),
        "germ TX": germ("Escherichia coli~BLSE", "TX"),
        "germ repeated": germ("ECO^E. coli^99P~KPN^K. pneumoniae^99P"),
        "germ with its antibiotics": germ("ECO^E. coli^99P", "CE", count, *inline),
        "germ with notes": oru(
            order(
                "A1",
                "ECBU^ECBU^99P",
                obx(1, "CE", code, "ECO^E. coli^99P", f4="1"),
                *notes("BLSE"),
                count,
                *notes("À confirmer"),
                spm(),
                section="MB",
            )
        ),
        "three germs, two antibiograms": oru(
            culture("A1", "Escherichia coli", "Klebsiella pneumoniae", "Candida albicans"),
            antibiogram(
                "A2",
                "A1",
                "1",
                "Escherichia coli",
                ("Amoxicilline", ">^8", "R"),
                ("Cotrimoxazole", "^4^:^76", "I"),
                ("Fosfomycine", "<=^1", "S"),
            ),
            antibiogram("A3", "A1", "2", "Klebsiella pneumoniae", ("Amoxicilline", ">^8", "R")),
        ),
        "three germs, three antibiograms, notes": oru(
            culture("A1", "Escherichia coli", "Klebsiella pneumoniae", "Candida albicans"),
            *(
                [
                    *antibiogram(f"A{n}", "A1", str(n - 1), name, ("Drogue A", "<=^1", "S"), ("Drogue B", "^2", "MS")),
                    *notes(f"Note {n}"),
                ]
                for n, name in ((2, "Escherichia coli"), (3, "Klebsiella pneumoniae"), (4, "Candida albicans"))
            ),
        ),
        "no growth": oru(
            order(
                "A1",
                "ECBU^ECBU^99P",
                obx(1, "TX", "CULT^Culture^99P", "Culture stérile après 48 h"),
                spm(),
                section="MB",
            )
        ),
        "no growth coded": oru(
            order("A1", "HEMO^Hémoculture^99P", obx(1, "CE", code, "NEG^Absence de culture^99P"), spm(), section="MB")
        ),
        "no growth with OBX-4": germ("NEG^Culture négative^99P"),
        "germ not obtained": oru(
            order("A1", "ECBU^ECBU^99P", obx(1, "", code, "", f4="1", f11="X"), *notes("Flacon cassé"), section="MB")
        ),
        "germ under way": oru(
            order(
                "A1",
                "ECBU^ECBU^99P",
                obx(1, "CE", code, "BGN^Bacille Gram négatif^99P", f4="1", f11="P"),
                obx(2, "", "ATB^Antibiogramme^99P", "", f4="1", f11="I"),
                spm(),
                section="MB",
                status="P",
            )
        ),
        "antibiogram by categories": oru(
            culture("A1", "Escherichia coli"),
            order(
                "A2",
                "ATB^Antibiogramme^99P^18769-0^Antibiogramme^LN",
                *(
                    obx(n, "CE", f"D{n}^Drogue {n}^99P", f"{c}^{w}^99P", f8=c)
                    for n, (c, w) in enumerate((("S", "Sensible"), ("R", "Résistant")), 1)
                ),
                section="MB",
                f26="CULT&Culture&99P&630-4&Bactérie identifiée&LN^1^Escherichia coli",
                f29="^A1&SGL",
            ),
        ),
        "antibiogram in millimetres": oru(
            culture("A1", "Escherichia coli"),
            order(
                "A2",
                "ATB^Antibiogramme^99P",
                obx(1, "NM", "AMX^Amoxicilline^99P", "22", f6="mm^mm^UCUM", f7="S>=19 R<19", f8="S"),
                section="MB",
                f26="CULT&Culture&99P^1^Escherichia coli",
                f29="^A1&SGL",
            ),
        ),
        "antibiogram of flat sub-ids": germ(
            "ECO^E. coli^99P",
            "CE",
            *(obx(n, "SN", f"D{n}^Drogue {n}^99P", "<=^1", f4=f"1.{n}", f6=MG, f8="S") for n in (2, 3)),
        ),
    }
    return {name: Made(raw) for name, raw in made.items()}
