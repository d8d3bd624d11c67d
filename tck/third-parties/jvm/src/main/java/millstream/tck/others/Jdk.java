package millstream.tck.others;

import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import millstream.tck.Subject;

/** The publisher of the JDK. */
public final class Jdk {
    private Jdk() { }

    /** Submits while someone is subscribed; what has no place is waited for. */
    @Subject("\"asynchronous\":true,\"max_length\":256")
    public static Flow.Publisher<Long> submissionPublisher(long n) {
        return subscriber -> {
            SubmissionPublisher<Long> publisher = new SubmissionPublisher<>();
            publisher.subscribe(subscriber);
            Thread submitting = new Thread(() -> {
                for (long i = 0; i < n && publisher.hasSubscribers(); i++) {
                    publisher.submit(i);
                }
                publisher.close();
            });
            submitting.setDaemon(true);
            submitting.start();
        };
    }
}
