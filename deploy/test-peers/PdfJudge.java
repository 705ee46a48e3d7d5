import java.io.FileInputStream;
import java.util.stream.Collectors;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;

/** Judges files as PDF/A-1b by veraPDF; prints of each its path and `valid`, or the first failures (clause, words). */
public class PdfJudge {
    public static void main(String[] files) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        var flavour = PDFAFlavour.PDFA_1_B;
        for (String file : files) {
            try (var parser = Foundries.defaultInstance().createParser(new FileInputStream(file), flavour);
                    var validator = Foundries.defaultInstance().createValidator(flavour, false)) {
                var result = validator.validate(parser);
                String failures = result.getTestAssertions().stream()
                        .limit(5)
                        .map(each -> each.getRuleId().getClause() + " " + each.getMessage())
                        .collect(Collectors.joining("; "));
                System.out.println(file + "\t" + (result.isCompliant() ? "valid" : failures));
            }
        }
    }
}
