import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.llp.ExtendedMinLowerLayerProtocol;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.parser.GenericModelClassFactory;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Sends files by HAPI's client, on one connection; prints MSA-1, MSA-2 and the sent MSH-10 of each. */
public class HapiSender {
    public static void main(String[] arguments) throws Exception {
        try (var context = new DefaultHapiContext()) {
            context.setModelClassFactory(new GenericModelClassFactory());
            context.setValidationContext(ValidationContextFactory.noValidation());
            context.setLowerLayerProtocol(new ExtendedMinLowerLayerProtocol());
            Connection connection = context.newClient(arguments[0], Integer.parseInt(arguments[1]), false);
            connection.getInitiator().setTimeout(60, TimeUnit.SECONDS);
            for (int rank = 2; rank < arguments.length; rank++) {
                byte[] raw = Files.readAllBytes(Path.of(arguments[rank]));
                String bytes = new String(raw, StandardCharsets.ISO_8859_1); // enough to read MSH-18
                String declared = bytes.split("\r", 2)[0].split("\\|", -1)[17];
                Charset charset = Charset.forName(declared.startsWith("8859") ? "ISO-" + declared.replace('/', '-') : "UTF-8");
                Message message = context.getGenericParser().parse(new String(raw, charset));
                Message answer = connection.getInitiator().sendAndReceive(message);
                Terser sent = new Terser(message);
                Terser received = new Terser(answer);
                System.out.println(received.get("/MSA-1") + "\t" + received.get("/MSA-2") + "\t" + sent.get("/MSH-10"));
            }
            connection.close();
        }
    }
}
