"""A small document to show: three results, two of them out of range, and whatever a test adds."""

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

ROW = """
<text>
  <paragraph>Prélèvement du matin</paragraph>
  <table><thead><tr><th>Examen</th><th>Résultat</th><th>Référence</th></tr></thead><tbody>
    <tr><td><content ID="a1">Sodium</content></td><td><content styleCode="Bold">151 mmol/L</content></td>
      <td>136 - 145</td></tr>
    <tr><td><content ID="a2">Potassium</content></td><td>3.1 mmol/L</td><td>3.5 - 5.1</td></tr>
    <tr><td><content ID="a3">Chlore</content></td><td>101 mmol/L</td><td>98 - 107</td></tr>
  </tbody></table>
  <renderMultiMedia referencedObject="curve"/>
</text>
"""


def document(narrative: str = ROW, entries: str = "", before: str = "") -> bytes:
    """Return a small document: three results, the first high, the second low."""
    flags = "".join(
        f'<entry><observation classCode="OBS" moodCode="EVN"><code><originalText><reference value="#{anchor}"/>'
        f'</originalText></code><interpretationCode code="{code}"/></observation></entry>'
        for anchor, code in (("a1", "H"), ("a2", "LL"), ("a3", "N"))
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>{before}
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2">
  <id root="1.2.3.4.2"/><title>Compte rendu d'examens biologiques</title><effectiveTime value="20260312101500+0100"/>
  <versionNumber value="2"/>
  <recordTarget><patientRole><id root="1.2.250.1.213.1.4.10" extension="285076938314206"/>
    <patient><name><family qualifier="BR">MARCHAND</family><family qualifier="CL">LEROUX</family>
      <given>CLAIRE ANNE</given>
    <given qualifier="BR">CLAIRE</given></name><administrativeGenderCode code="F"/>
      <birthTime value="19850714"/></patient>
  </patientRole></recordTarget>
  <custodian><assignedCustodian><representedCustodianOrganization><name>LBM des Tilleuls &amp; Cie</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <documentationOf><serviceEvent><lab:statusCode code="active"/></serviceEvent></documentationOf>
  <relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3.4.1"/></parentDocument></relatedDocument>
  <component><structuredBody><component><section><title>Biochimie</title>{narrative}{flags}{entries}</section></component>
  </structuredBody></component>
</ClinicalDocument>""".encode()
