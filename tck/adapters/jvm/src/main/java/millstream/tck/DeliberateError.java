package millstream.tck;

/** The error that the TCK sends, and by which it knows it again. */
public final class DeliberateError extends Exception {
    private static final long serialVersionUID = 1;

    DeliberateError() {
        super("a failure that the TCK sends on purpose");
    }

    static boolean isIn(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof DeliberateError) {
                return true;
            }
        }
        return false;
    }
}
