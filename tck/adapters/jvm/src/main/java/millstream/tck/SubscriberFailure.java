package millstream.tck;

/** What a subscriber of the TCK throws on purpose. */
public final class SubscriberFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    SubscriberFailure() {
        super("a failure of the TCK's subscriber, on purpose");
    }
}
