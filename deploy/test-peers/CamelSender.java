import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.impl.DefaultCamelContext;

/** Sends files by Camel's MLLP component, on one connection; prints MSA-1 and the whole answer's length of each. */
public class CamelSender {
    public static void main(String[] arguments) throws Exception {
        try (var context = new DefaultCamelContext()) {
            context.start();
            ProducerTemplate template = context.createProducerTemplate();
            String endpoint = "mllp:" + arguments[0] + ":" + arguments[1]
                + "?receiveTimeout=60000&readTimeout=20000&hl7Headers=false";
            for (int rank = 2; rank < arguments.length; rank++) {
                byte[] raw = Files.readAllBytes(Path.of(arguments[rank]));
                Exchange done = template.request(endpoint, exchange -> exchange.getIn().setBody(raw));
                Object type = done.getMessage().getHeader("CamelMllpAcknowledgementType");
                Exception refused = done.getException();
                System.out.println((type == null ? "" : type) + "\t" + (refused == null ? "" : refused.getClass().getSimpleName()));
            }
        }
    }
}
