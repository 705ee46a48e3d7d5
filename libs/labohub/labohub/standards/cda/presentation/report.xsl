<?xml version="1.0" encoding="UTF-8"?>
<!--
  A clinical document as a page to read: header facts, then the narrative as its author wrote it. XSLT 1.0, no script,
  nothing fetched, nothing taken from the document but its text and its images.
  Root: the document, or this very stylesheet with the document inside (auto-présentable).
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hl7-org:v3"
    xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2" xmlns:data="urn:asip-sante:ci-sis" exclude-result-prefixes="h lab data xsl">
  <xsl:output method="html" encoding="UTF-8" indent="no"/>

  <xsl:param name="accent" select="'#0a546e'"/>
  <xsl:param name="logo" select="''"/>
  <xsl:param name="mentions" select="''"/>
  <xsl:param name="css" select="''"/>

  <xsl:key name="observation" match="h:observation[h:code/h:originalText/h:reference]"
      use="h:code/h:originalText/h:reference/@value"/>
  <xsl:key name="observation" match="h:observation[h:value/h:originalText/h:reference]"
      use="h:value/h:originalText/h:reference/@value"/>
  <xsl:key name="media" match="h:observationMedia" use="@ID"/>

  <xsl:variable name="document" select="(//h:ClinicalDocument)[1]"/>
  <xsl:variable name="patient" select="$document/h:recordTarget[1]/h:patientRole"/>
  <xsl:variable name="ins" select="$patient/h:id[starts-with(@root, '1.2.250.1.213.1.4.')][1]"/>
  <xsl:variable name="laboratory" select="$document/h:custodian/h:assignedCustodian/h:representedCustodianOrganization"/>
  <xsl:variable name="act" select="$document/h:documentationOf[1]/h:serviceEvent"/>
  <xsl:variable name="performer" select="$act/h:performer/h:assignedEntity/h:representedOrganization[h:id/@extension = $laboratory/h:id/@extension][1]"/>
  <xsl:variable name="cofrac" select="$performer/h:id[@root='1.2.250.1.213.6.3.1']/@extension"/>
  <xsl:variable name="base64" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/='"/>

  <xsl:template match="/">
    <html lang="fr">
      <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="referrer" content="no-referrer"/>
        <title>
          <xsl:value-of select="$document/h:title"/>
          <xsl:text>, </xsl:text>
          <xsl:call-template name="usual-name"/>
        </title>
        <style><xsl:value-of select="concat(':root{--accent:', $accent, '}', $css)"/></style>
      </head>
      <body>
        <xsl:call-template name="letterhead"/>
        <main>
          <h1><xsl:value-of select="$document/h:title"/></h1>
          <xsl:call-template name="banners"/>
          <div class="cards">
            <xsl:call-template name="patient"/>
            <xsl:call-template name="demand"/>
          </div>
          <xsl:apply-templates select="$document/h:component/h:structuredBody/h:component/h:section"/>
          <xsl:apply-templates select="$document/h:component/h:nonXMLBody"/>
        </main>
        <xsl:call-template name="foot"/>
      </body>
    </html>
  </xsl:template>

  <!-- the head of the page -->

  <xsl:template name="letterhead">
    <header>
      <xsl:if test="$logo"><img class="logo" src="{$logo}" alt=""/></xsl:if>
      <div class="laboratory">
        <p class="name"><xsl:value-of select="$laboratory/h:name"/></p>
        <p class="soft">
          <xsl:call-template name="address"><xsl:with-param name="of" select="$laboratory/h:addr"/></xsl:call-template>
        </p>
        <p class="soft">
          <xsl:choose>
            <xsl:when test="$performer/h:telecom/@value"><xsl:apply-templates select="$performer/h:telecom" mode="contact"/></xsl:when>
            <xsl:otherwise><xsl:apply-templates select="$laboratory/h:telecom" mode="contact"/></xsl:otherwise>
          </xsl:choose>
          <xsl:if test="$cofrac"> · Cofrac n° <xsl:value-of select="$cofrac"/></xsl:if>
        </p>
      </div>
      <div class="signatory">
        <p class="soft">Biologiste responsable</p>
        <p class="strong">
          <xsl:apply-templates select="$document/h:legalAuthenticator/h:assignedEntity/h:assignedPerson/h:name[1]" mode="person"/>
        </p>
        <p class="soft">
          <xsl:text>Signé le </xsl:text>
          <xsl:call-template name="time"><xsl:with-param name="of" select="$document/h:legalAuthenticator/h:time/@value"/></xsl:call-template>
        </p>
      </div>
    </header>
  </xsl:template>

  <xsl:template name="banners">
    <xsl:variable name="said" select="$document/h:component/h:structuredBody/h:component/h:section/h:title"/>
    <xsl:if test="$document/h:relatedDocument[@typeCode='RPLC'] and not($said = 'Modifications')">
      <p class="banner" role="note">
        <strong><xsl:text>Version </xsl:text><xsl:value-of select="$document/h:versionNumber/@value"/></strong>
        <xsl:text> : annule et remplace le compte rendu précédent.</xsl:text>
      </p>
    </xsl:if>
    <xsl:if test="$document/h:documentationOf/h:serviceEvent/lab:statusCode[@code='active'] and not($said = 'Compte rendu partiel')">
      <p class="banner" role="note"><strong>Compte rendu partiel</strong> : des examens sont encore en cours.</p>
    </xsl:if>
  </xsl:template>

  <xsl:template name="patient">
    <section class="card" aria-label="Patient">
      <h2>Patient</h2>
      <p class="who"><xsl:call-template name="usual-name"/></p>
      <dl>
        <xsl:call-template name="fact">
          <xsl:with-param name="name" select="'Nom de naissance'"/>
          <xsl:with-param name="value" select="$patient/h:patient/h:name/h:family[@qualifier='BR' or not(@qualifier)][1]"/>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="name" select="'Prénoms'"/>
          <xsl:with-param name="value" select="($patient/h:patient/h:name/h:given[not(@qualifier)] | $patient/h:patient/h:name/h:given[@qualifier='BR'])[1]"/>
        </xsl:call-template>
        <dt>Né(e) le</dt>
        <dd>
          <xsl:call-template name="time"><xsl:with-param name="of" select="$patient/h:patient/h:birthTime/@value"/></xsl:call-template>
          <xsl:if test="$patient/h:patient/h:birthplace//h:county != ''">
            <xsl:text> (lieu </xsl:text><xsl:value-of select="$patient/h:patient/h:birthplace//h:county"/><xsl:text>)</xsl:text>
          </xsl:if>
        </dd>
        <dt>Sexe</dt>
        <dd>
          <xsl:choose>
            <xsl:when test="$patient/h:patient/h:administrativeGenderCode/@code='F'">Féminin</xsl:when>
            <xsl:when test="$patient/h:patient/h:administrativeGenderCode/@code='M'">Masculin</xsl:when>
            <xsl:otherwise>Inconnu</xsl:otherwise>
          </xsl:choose>
        </dd>
        <xsl:choose>
          <xsl:when test="$ins">
            <dt>Matricule INS</dt>
            <dd class="digits">
              <xsl:value-of select="concat(substring($ins/@extension, 1, 13), ' ', substring($ins/@extension, 14))"/>
            </dd>
            <dt>OID</dt>
            <dd class="digits"><xsl:value-of select="$ins/@root"/></dd>
          </xsl:when>
          <xsl:otherwise>
            <dt>Identité</dt>
            <dd>non qualifiée (INS absente)</dd>
          </xsl:otherwise>
        </xsl:choose>
        <xsl:for-each select="$patient/h:id[not(starts-with(@root, '1.2.250.1.213.1.4.'))][1]">
          <dt>Dossier patient</dt>
          <dd class="digits"><xsl:value-of select="@extension"/></dd>
        </xsl:for-each>
      </dl>
    </section>
  </xsl:template>

  <xsl:template name="demand">
    <section class="card" aria-label="Demande">
      <h2>Demande</h2>
      <dl>
        <xsl:call-template name="fact">
          <xsl:with-param name="name" select="'Dossier n°'"/>
          <xsl:with-param name="value" select="$act/h:id[1]/@extension"/>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="name" select="'Prescription n°'"/>
          <xsl:with-param name="value" select="$document/h:inFulfillmentOf[1]/h:order/h:id[1]/@extension"/>
        </xsl:call-template>
        <xsl:for-each select="$document/h:participant[@typeCode='REF'][1]">
          <dt>Prescripteur</dt>
          <dd><xsl:apply-templates select="h:associatedEntity/h:associatedPerson/h:name[1]" mode="person"/></dd>
          <xsl:call-template name="dated">
            <xsl:with-param name="name" select="'Prescrit le'"/>
            <xsl:with-param name="value" select="h:time/@value | h:time/h:low/@value | h:time/h:high/@value"/>
          </xsl:call-template>
        </xsl:for-each>
        <xsl:call-template name="dated">
          <xsl:with-param name="name" select="'Prélevé le'"/>
          <xsl:with-param name="value" select="$act/h:effectiveTime/h:low/@value"/>
        </xsl:call-template>
        <xsl:call-template name="dated">
          <xsl:with-param name="name" select="'Validé le'"/>
          <xsl:with-param name="value" select="$act/h:effectiveTime/h:high/@value"/>
        </xsl:call-template>
        <xsl:call-template name="dated">
          <xsl:with-param name="name" select="'Édité le'"/>
          <xsl:with-param name="value" select="$document/h:effectiveTime/@value"/>
        </xsl:call-template>
        <xsl:for-each select="$document/h:informationRecipient/h:intendedRecipient/h:informationRecipient/h:name">
          <dt><xsl:if test="position() = 1">Copie à</xsl:if></dt>
          <dd><xsl:apply-templates select="." mode="person"/></dd>
        </xsl:for-each>
      </dl>
    </section>
  </xsl:template>

  <xsl:template name="foot">
    <footer>
      <xsl:if test="$mentions"><p><xsl:value-of select="$mentions"/></p></xsl:if>
      <xsl:for-each select="$document/h:authenticator">
        <p>
          <xsl:text>Validation : </xsl:text>
          <xsl:apply-templates select="h:assignedEntity/h:assignedPerson/h:name[1]" mode="person"/>
          <xsl:text>, le </xsl:text>
          <xsl:call-template name="time"><xsl:with-param name="of" select="h:time/@value"/></xsl:call-template>
        </p>
      </xsl:for-each>
      <p>
        <xsl:text>Document </xsl:text>
        <xsl:value-of select="$document/h:id/@root"/>
        <xsl:if test="$document/h:id/@extension"><xsl:text> </xsl:text><xsl:value-of select="$document/h:id/@extension"/></xsl:if>
        <xsl:if test="$document/h:versionNumber/@value">
          <xsl:text>, version </xsl:text><xsl:value-of select="$document/h:versionNumber/@value"/>
        </xsl:if>
      </p>
    </footer>
  </xsl:template>

  <!-- the body -->

  <xsl:template match="h:section">
    <section>
      <xsl:attribute name="class">
        <xsl:text>chapter</xsl:text>
        <xsl:if test="h:title = 'Modifications' or h:title = 'Compte rendu partiel'"> notice</xsl:if>
        <xsl:if test="h:title = 'Conclusion'"> conclusion</xsl:if>
      </xsl:attribute>
      <xsl:if test="normalize-space(h:title)"><h2><xsl:value-of select="h:title"/></h2></xsl:if>
      <xsl:apply-templates select="h:text"/>
      <xsl:for-each select="h:component/h:section">
        <section>
          <xsl:if test="normalize-space(h:title)"><h3><xsl:value-of select="h:title"/></h3></xsl:if>
          <xsl:apply-templates select="h:text"/>
        </section>
      </xsl:for-each>
    </section>
  </xsl:template>

  <xsl:template match="h:nonXMLBody">
    <section class="chapter">
      <p class="banner">
        <xsl:choose>
          <xsl:when test="h:text/@mediaType='text/plain' and not(h:text/@representation)"><xsl:value-of select="h:text"/></xsl:when>
          <xsl:otherwise>Le contenu de ce document est un fichier joint (PDF).</xsl:otherwise>
        </xsl:choose>
      </p>
    </section>
  </xsl:template>

  <xsl:template match="h:section/h:text"><div class="narrative"><xsl:apply-templates/></div></xsl:template>
  <xsl:template match="h:paragraph"><p><xsl:if test="starts-with(normalize-space(.), 'Germe isolé')"><xsl:attribute name="class">isolate</xsl:attribute></xsl:if><xsl:apply-templates select="h:caption"/><xsl:apply-templates select="node()[not(self::h:caption)]"/></p></xsl:template>
  <xsl:template match="h:br"><br/></xsl:template>
  <xsl:template match="h:text/h:br"/>
  <xsl:template match="h:sub"><sub><xsl:apply-templates/></sub></xsl:template>
  <xsl:template match="h:sup"><sup><xsl:apply-templates/></sup></xsl:template>
  <xsl:template match="h:footnote"><span class="soft"><xsl:text> [</xsl:text><xsl:apply-templates/><xsl:text>]</xsl:text></span></xsl:template>
  <xsl:template match="h:paragraph/h:caption | h:list/h:caption"><strong><xsl:apply-templates/><xsl:text> </xsl:text></strong></xsl:template>
  <xsl:template match="h:content | h:linkHtml"><span><xsl:call-template name="style"/><xsl:apply-templates/></span></xsl:template>
  <xsl:template match="h:list[@listType='ordered']"><xsl:apply-templates select="h:caption"/><ol><xsl:apply-templates select="h:item"/></ol></xsl:template>
  <xsl:template match="h:list"><xsl:apply-templates select="h:caption"/><ul><xsl:apply-templates select="h:item"/></ul></xsl:template>
  <xsl:template match="h:item"><li><xsl:apply-templates/></li></xsl:template>

  <xsl:template match="h:table">
    <div class="scroll" tabindex="0" role="group" aria-label="Tableau de résultats">
      <table>
        <xsl:variable name="first" select="normalize-space(h:thead/h:tr[1]/h:th[1])"/>
        <xsl:if test="($first = 'Examen' or $first = 'Antibiotique') and count(h:thead/h:tr[1]/h:th) &gt; 4"><xsl:attribute name="class">results</xsl:attribute></xsl:if>
        <xsl:if test="h:caption"><caption><xsl:apply-templates select="h:caption/node()"/></caption></xsl:if>
        <xsl:apply-templates select="h:thead | h:tbody | h:tfoot"/>
      </table>
    </div>
  </xsl:template>
  <xsl:template match="h:thead"><thead><xsl:apply-templates select="h:tr"/></thead></xsl:template>
  <xsl:template match="h:tbody"><tbody><xsl:apply-templates select="h:tr"/></tbody></xsl:template>
  <xsl:template match="h:tfoot"><tfoot><xsl:apply-templates select="h:tr"/></tfoot></xsl:template>

  <xsl:template match="h:tr">
    <tr>
      <xsl:variable name="mark"><xsl:call-template name="mark"/></xsl:variable>
      <xsl:if test="$mark != ''"><xsl:attribute name="class"><xsl:value-of select="concat('out ', $mark)"/></xsl:attribute></xsl:if>
      <xsl:apply-templates select="h:th | h:td"/>
    </tr>
    <xsl:if test="count(h:td) &gt; 2">
      <xsl:for-each select=".//h:renderMultiMedia">
        <tr><td class="remark" colspan="{count(ancestor::h:tr[1]/h:td)}"><xsl:call-template name="media"/></td></tr>
      </xsl:for-each>
    </xsl:if>
  </xsl:template>
  <xsl:template match="h:tr[count(h:td) &gt; 2]//h:renderMultiMedia"/>

  <xsl:template match="h:th | h:td">
    <xsl:element name="{local-name()}">
      <xsl:call-template name="spans"/>
      <xsl:if test="self::h:th">
        <xsl:attribute name="scope">
          <xsl:choose><xsl:when test="ancestor::h:thead">col</xsl:when><xsl:otherwise>row</xsl:otherwise></xsl:choose>
        </xsl:attribute>
      </xsl:if>
      <xsl:variable name="mark"><xsl:if test="ancestor::h:tbody"><xsl:for-each select=".."><xsl:call-template name="mark"/></xsl:for-each></xsl:if></xsl:variable>
      <xsl:variable name="class">
        <xsl:if test="self::h:td and position() = 1 and not(@colspan)">exam </xsl:if>
        <xsl:if test="self::h:td and @colspan and position() = 1 and last() = 1">remark </xsl:if>
        <xsl:if test="$mark != '' and position() &gt; 1 and .//h:content[contains(@styleCode, 'Bold')]">value</xsl:if>
      </xsl:variable>
      <xsl:if test="$class != ''"><xsl:attribute name="class"><xsl:value-of select="normalize-space($class)"/></xsl:attribute></xsl:if>
      <!-- the sign stands before the value when its author set it in bold, else before the examination -->
      <xsl:variable name="category">
        <xsl:if test="position() = 4 and ancestor::h:table[1]/h:thead/h:tr[1]/h:th[1] = 'Antibiotique'">
          <xsl:for-each select=".."><xsl:call-template name="flag"/></xsl:for-each>
        </xsl:if>
      </xsl:variable>
      <xsl:if test="contains('|S|I|R|SDD|NS|', concat('|', $category, '|')) and $category != ''">
        <span class="category {$category}"><xsl:value-of select="$category"/></span>
        <xsl:text> </xsl:text>
      </xsl:if>
      <xsl:if test="$mark != '' and (contains($class, 'value')
          or (position() = 1 and not(../*[position() &gt; 1]//h:content[contains(@styleCode, 'Bold')])))">
        <xsl:choose>
          <xsl:when test="$mark = 'high'"><span class="mark" role="img" aria-label="au-dessus des valeurs de référence">&#x25B2;</span></xsl:when>
          <xsl:when test="$mark = 'low'"><span class="mark" role="img" aria-label="en dessous des valeurs de référence">&#x25BC;</span></xsl:when>
          <xsl:otherwise><span class="mark" role="img" aria-label="anormal">&#x25CF;</span></xsl:otherwise>
        </xsl:choose>
        <xsl:text> </xsl:text>
      </xsl:if>
      <xsl:apply-templates/>
    </xsl:element>
  </xsl:template>

  <xsl:template match="h:renderMultiMedia" name="media">
    <xsl:variable name="media" select="key('media', @referencedObject)[1]/h:value"/>
    <xsl:variable name="content" select="translate($media, ' &#9;&#10;&#13;', '')"/>
    <xsl:variable name="type" select="$media/@mediaType"/>
    <xsl:choose>
      <xsl:when test="($type='image/png' or $type='image/jpeg' or $type='image/gif' or $type='image/bmp')
          and $media/@representation='B64' and $content != '' and translate($content, $base64, '') = ''">
        <img class="figure" src="data:{$type};base64,{$content}" alt="Image jointe aux résultats"/>
      </xsl:when>
      <xsl:when test="$type='application/pdf'"><span class="attached">Document PDF joint</span></xsl:when>
      <xsl:otherwise><span class="attached">Pièce jointe</span></xsl:otherwise>
    </xsl:choose>
    <xsl:if test="h:caption"><span class="soft"><xsl:text> </xsl:text><xsl:value-of select="h:caption"/></span></xsl:if>
  </xsl:template>

  <xsl:template match="*"><xsl:apply-templates/></xsl:template>

  <!-- how a row stands, from its coded result: high, low, abnormal or nothing -->

  <xsl:template name="mark">
    <xsl:variable name="flag"><xsl:call-template name="flag"/></xsl:variable>
    <xsl:variable name="first" select="concat('|', $flag, '|')"/>
    <xsl:choose>
      <xsl:when test="$first = '||'"/>
      <xsl:when test="contains('|H|HH|HU|HX|&gt;|U|', $first)">high</xsl:when>
      <xsl:when test="contains('|L|LL|LU|LX|&lt;|D|', $first)">low</xsl:when>
      <xsl:when test="contains('|A|AA|R|POS|DET|RR|WR|W|NS|', $first)">abnormal</xsl:when>
    </xsl:choose>
  </xsl:template>

  <!-- the first flag of a row, a code of ObservationInterpretation -->

  <xsl:template name="flag">
    <xsl:variable name="code">
      <xsl:for-each select=".//@ID">
        <xsl:variable name="reference" select="concat('#', .)"/>
        <xsl:for-each select="key('observation', $reference)[1]">
          <xsl:if test="not(parent::h:entryRelationship[@typeCode='REFR'])"><xsl:value-of select="concat(h:interpretationCode/@code, ' ')"/></xsl:if>
        </xsl:for-each>
      </xsl:for-each>
    </xsl:variable>
    <xsl:value-of select="substring-before($code, ' ')"/>
  </xsl:template>

  <xsl:template name="style">
    <xsl:variable name="codes" select="concat(' ', normalize-space(@styleCode), ' ')"/>
    <xsl:variable name="classes">
      <xsl:if test="contains($codes, ' Bold ')">bold </xsl:if>
      <xsl:if test="contains($codes, ' Italics ')">italic </xsl:if>
      <xsl:if test="contains($codes, ' Underline ')">underline </xsl:if>
      <xsl:if test="contains($codes, ' xHighlight ') or contains($codes, ' Emphasis ')">highlight </xsl:if>
    </xsl:variable>
    <xsl:if test="$classes != ''"><xsl:attribute name="class"><xsl:value-of select="normalize-space($classes)"/></xsl:attribute></xsl:if>
  </xsl:template>

  <xsl:template name="spans">
    <xsl:for-each select="@colspan | @rowspan">
      <xsl:if test="number(.) &gt; 0 and number(.) &lt; 100"><xsl:attribute name="{local-name()}"><xsl:value-of select="number(.)"/></xsl:attribute></xsl:if>
    </xsl:for-each>
  </xsl:template>

  <!-- small things -->

  <xsl:template name="fact">
    <xsl:param name="name"/>
    <xsl:param name="value"/>
    <xsl:if test="normalize-space($value)"><dt><xsl:value-of select="$name"/></dt><dd><xsl:value-of select="$value"/></dd></xsl:if>
  </xsl:template>

  <xsl:template name="dated">
    <xsl:param name="name"/>
    <xsl:param name="value"/>
    <xsl:if test="$value">
      <dt><xsl:value-of select="$name"/></dt>
      <dd><xsl:call-template name="time"><xsl:with-param name="of" select="$value[1]"/></xsl:call-template></dd>
    </xsl:if>
  </xsl:template>

  <xsl:template name="usual-name">
    <xsl:variable name="name" select="$patient/h:patient/h:name[1]"/>
    <xsl:value-of select="($name/h:family[@qualifier='CL'] | $name/h:family[not($name/h:family[@qualifier='CL'])])[1]"/>
    <xsl:text> </xsl:text>
    <xsl:choose>
      <xsl:when test="$name/h:given[@qualifier='CL']"><xsl:value-of select="$name/h:given[@qualifier='CL'][1]"/></xsl:when>
      <xsl:when test="$name/h:given[@qualifier='BR']"><xsl:value-of select="$name/h:given[@qualifier='BR'][1]"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="$name/h:given[1]"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="h:name" mode="person">
    <xsl:value-of select="normalize-space(concat(h:suffix, ' ', h:given[1], ' ', h:family[1]))"/>
  </xsl:template>

  <xsl:template match="h:telecom" mode="contact">
    <xsl:if test="@value">
      <xsl:if test="preceding-sibling::h:telecom/@value"> &#xB7; </xsl:if>
      <xsl:value-of select="substring-after(@value, ':')"/>
    </xsl:if>
  </xsl:template>

  <xsl:template name="address">
    <xsl:param name="of"/>
    <xsl:for-each select="$of/h:streetAddressLine | $of/h:houseNumber | $of/h:streetNameType | $of/h:streetName | $of/h:postalCode | $of/h:city">
      <xsl:if test="position() &gt; 1"><xsl:text> </xsl:text></xsl:if>
      <xsl:value-of select="normalize-space(.)"/>
    </xsl:for-each>
  </xsl:template>

  <xsl:template name="time">
    <xsl:param name="of"/>
    <xsl:if test="string-length($of) &gt; 7">
      <xsl:value-of select="concat(substring($of, 7, 2), '/', substring($of, 5, 2), '/', substring($of, 1, 4))"/>
      <xsl:if test="string-length(translate(substring($of, 9, 4), '0123456789', '')) = 0 and string-length($of) &gt; 11">
        <xsl:value-of select="concat(' à ', substring($of, 9, 2), ':', substring($of, 11, 2))"/>
      </xsl:if>
    </xsl:if>
    <xsl:if test="string-length($of) = 4"><xsl:value-of select="$of"/></xsl:if>
    <xsl:if test="string-length($of) = 6"><xsl:value-of select="concat(substring($of, 5, 2), '/', substring($of, 1, 4))"/></xsl:if>
  </xsl:template>
</xsl:stylesheet>
