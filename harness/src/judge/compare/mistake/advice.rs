//! What each mistake means, and where to look for it.

use super::{Mistake, Rule};

impl Mistake {
    /// What the mistake means, and where to look in the client.
    #[must_use]
    pub fn advice(self) -> String {
        match self {
            Self::NotANumber(_) => "Your client computed something that has no value, such as 0 divided by 0, or read \
                the bytes of an integer as an IEEE float. Look at how this field is read, and at the divisions after it."
                .to_owned(),
            Self::Type(wanted) => format!(
                "The value is of another kind than the field: print {wanted}. Look at where your client makes the line."
            ),
            Self::TurnedSign => "Your client shows the opposite sign, or takes the absolute value. The device says which \
                way is positive; show the value as it was sent. Look for a minus sign or an abs() behind the reading."
                .to_owned(),
            Self::Unsigned => "Values below 0 come out huge. Read the bytes as a signed integer: int16 or int32, not uint16 \
                or uint32."
                .to_owned(),
            Self::Signed => "Large values come out negative. Read the bytes as an unsigned integer.".to_owned(),
            Self::Scale(_) | Self::Divisor { .. } => "The bytes are the right ones, but the raw number is divided by the \
                wrong power of ten. Look at the scale of this field in the layout; neighbours often have other scales."
                .to_owned(),
            Self::Unit { shown, right } => format!(
                "The bytes are the right ones. Convert the value from {shown} to {right} where your client prints the \
                 reading; what it shows to people may stay as it is."
            ),
            Self::PolePairs(_) => "The device sends the electrical speed. Print it before your client divides it by the pole \
                pairs of the motor."
                .to_owned(),
            Self::FloatForInteger => "The four bytes are an integer that must be divided by the scale of the field. Do not \
                reinterpret them as a float: small values come out as almost 0, and negative ones as NaN."
                .to_owned(),
            Self::IntegerForFloat => "This field has no scale. Its four bytes are a packed float, which has the bits of an \
                IEEE single."
                .to_owned(),
            Self::LittleEndian => "All numbers are big endian: the most significant byte comes first. Look for a missing \
                byte swap, or for `<` instead of `>` in a format."
                .to_owned(),
            Self::ByteOf255 => "The field has two bytes, which are a signed integer in thousandths. Your client reads one byte \
                and divides it by 255. Fields behind it then start a byte too early."
                .to_owned(),
            Self::EmptyList => "Your client kept no element. Look at where it reads the count, and at conditions that drop \
                elements."
                .to_owned(),
            Self::Dropped { rule: Rule::Unknown, .. } => "An element keeps its place even if its value looks odd: leaving it \
                out moves all later ones. Look for conditions that skip elements."
                .to_owned(),
            Self::Dropped { .. } => "Your client takes these values for fillers or faults. They are measurements, and their \
                places have a meaning: keep every element. Look for a filter behind the loop that reads the list."
                .to_owned(),
            Self::Capped(_) => "The list can be longer than your client expects. Take the length from the count in the reply, \
                not from the size of an array."
                .to_owned(),
            Self::Padded(_) => "Your client fills the list up. Take the length from the count in the reply."
                .to_owned(),
            Self::MaskOf32 => "A pack can have more than 32 cells. Keep the flags in a list or in a wider integer."
                .to_owned(),
            Self::Rounded(_) => "Print the value as exactly as it was sent, and round only what people see.".to_owned(),
            Self::MinorVersion => "The second number of the version counts hundredths: print it with two digits, \
                `{:02}`."
                .to_owned(),
            Self::OtherField(field) => format!(
                "Your client shows {field} here. Look for two names that are mixed up, or for fields in another order than \
                 in the layout."
            ),
            Self::Stale(_) => "Your client shows a value that it read before. Look for a value that is kept although a newer \
                reply came, or for a reply that is taken for the answer to a later request."
                .to_owned(),
            Self::OtherDevice(_) => "Replies do not say which device sent them. Wait for one reply before you ask the next \
                device, and note whom you asked."
                .to_owned(),
            Self::AnotherReply(_) => "Your client takes a reply to another request for this one. Compare the first byte of \
                the payload with the command that was asked."
                .to_owned(),
            Self::OtherLayout(firmware) => format!(
                "Your client was made for firmware {firmware}, and the device has another. Ask for FW_VERSION first and read \
                 what follows by its answer; read what newer firmware appended only if the payload is long enough. \
                 docs/protocol-motor.md, section 2, has the layouts."
            ),
            Self::OtherConfig { .. } => "A configuration has no names on the wire, and each firmware has its own fields in its own \
                order. Compare the signature with that of the layout that your client knows, and read nothing if they \
                differ. Write nothing back then: the motor would take it."
                .to_owned(),
            Self::IgnoredMask => "The reply holds only the fields whose bits are set in its mask, one directly behind the \
                other. Walk through the bits, and move on by the size of each field that is there."
                .to_owned(),
            Self::Shifted(_) => "Your client reads this field at another offset. Look at the sizes of the fields before it, \
                at the counts of lists, and at fields that only other firmware has."
                .to_owned(),
        }
    }
}
