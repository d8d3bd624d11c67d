package millstream.tck;

import java.util.LinkedHashMap;
import java.util.Map;

/** One line of the protocol: a flat JSON object. */
final class Message {
    private final Map<String, Object> fields = new LinkedHashMap<>();

    Message with(String name, Object value) {
        if (value != null) {
            fields.put(name, value);
        }
        return this;
    }

    boolean has(String name) {
        return fields.containsKey(name);
    }

    String text(String name) {
        Object value = fields.get(name);
        return value == null ? null : value.toString();
    }

    long number(String name, long otherwise) {
        return fields.get(name) instanceof Long number ? number : otherwise;
    }

    boolean is(String name) {
        return Boolean.TRUE.equals(fields.get(name));
    }

    @Override
    public String toString() {
        StringBuilder line = new StringBuilder("{");
        fields.forEach((name, value) -> {
            line.append(line.length() == 1 ? "" : ",");
            line.append(quoted(name)).append(':');
            line.append(value instanceof String text ? quoted(text) : value.toString());
        });
        return line.append('}').toString();
    }

    static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    /** Reads a flat object. Numbers above those of the language count as the largest. */
    static Message parse(String line) {
        Message message = new Message();
        int[] at = {0};
        expect(line, at, '{');
        while (peek(line, at) != '}') {
            String name = string(line, at);
            expect(line, at, ':');
            message.with(name, value(line, at));
            if (peek(line, at) == ',') {
                at[0]++;
            }
        }
        return message;
    }

    private static Object value(String line, int[] at) {
        if (peek(line, at) == '"') {
            return string(line, at);
        }
        int from = at[0];
        while (",}".indexOf(line.charAt(at[0])) < 0) {
            at[0]++;
        }
        String word = line.substring(from, at[0]).trim();
        return switch (word) {
            case "true" -> Boolean.TRUE;
            case "false" -> Boolean.FALSE;
            case "null" -> null;
            default -> saturating(word);
        };
    }

    private static Long saturating(String digits) {
        try {
            return Long.valueOf(digits);
        } catch (NumberFormatException tooLarge) {
            return Long.MAX_VALUE;
        }
    }

    private static String string(String line, int[] at) {
        expect(line, at, '"');
        StringBuilder text = new StringBuilder();
        for (char c = line.charAt(at[0]++); c != '"'; c = line.charAt(at[0]++)) {
            if (c == '\\') {
                c = line.charAt(at[0]++);
                if (c == 'u') {
                    c = (char) Integer.parseInt(line.substring(at[0], at[0] + 4), 16);
                    at[0] += 4;
                } else if (c == 'n') {
                    c = '\n';
                } else if (c == 't') {
                    c = '\t';
                }
            }
            text.append(c);
        }
        return text.toString();
    }

    private static char peek(String line, int[] at) {
        while (line.charAt(at[0]) == ' ') {
            at[0]++;
        }
        return line.charAt(at[0]);
    }

    private static void expect(String line, int[] at, char c) {
        if (peek(line, at) != c) {
            throw new IllegalArgumentException("expected " + c + " at " + at[0] + " of " + line);
        }
        at[0]++;
    }
}
