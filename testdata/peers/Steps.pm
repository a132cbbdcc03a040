# What the peers on Net::SMPP share: how a step of a script becomes a request,
# and what is told of a message that came.
package Steps;
use strict;
use warnings;
use Exporter 'import';
use JSON::PP;
use Net::SMPP;
our @EXPORT = qw(say_event content ask status);

my $json = JSON::PP->new->canonical;

# A line is written whole: several processes may write side by side.
sub say_event { syswrite STDOUT, $json->encode({@_}) . "\n" }

# content tells what a message says, octet by octet.
sub content {
	my ($pdu) = @_;
	my $sar = defined $pdu->{sar_total_segments}
		? unpack('C', $pdu->{sar_segment_seqnum}) . '/' . unpack('C', $pdu->{sar_total_segments}) : '';
	my $payload = $pdu->{message_payload};
	return (source => $pdu->{source_addr}, destination => $pdu->{destination_addr}, esm_class => 0 + $pdu->{esm_class},
		data_coding => 0 + $pdu->{data_coding}, registered_delivery => 0 + $pdu->{registered_delivery}, sar => $sar,
		octets => unpack('H*', $payload // $pdu->{short_message}), payload => defined $payload ? JSON::PP::true : JSON::PP::false);
}

# ask sends a step and returns its number; from is the sender where the step
# names none, ids are those that the steps before it were answered with. A step
# "raw" is a PDU that the library would not write: the octets are given, but
# for the number.
sub ask {
	my ($smpp, $step, $from, @ids) = @_;
	my $command = $step->{command};
	if ($command eq 'raw') {
		my $octets = pack 'H*', $step->{text};
		substr($octets, 12, 4) = pack 'N', ++(${*$smpp}{seq});
		$smpp->syswrite($octets);
		return ${*$smpp}{seq};
	}
	my %pdu;
	%pdu = (source_addr_ton => 1, source_addr_npi => 1, source_addr => $from) unless $command =~ /^(bind|enquire)/;
	%pdu = (%pdu, dest_addr_ton => 1, dest_addr_npi => 1) if $command =~ /^(submit|deliver|data|cancel)/;
	%pdu = (%pdu, short_message => pack('H*', $step->{text} // '')) if $command =~ /^(submit|deliver|replace)/;
	%pdu = (%pdu, schedule_delivery_time => '', validity_period => '', registered_delivery => 0, sm_default_msg_id => 0) if $command eq 'replace_sm';
	%pdu = (%pdu, destination_addr => '') if $command eq 'cancel_sm';
	%pdu = (%pdu, %{$step->{fields} // {}});
	$pdu{message_id} = $ids[$step->{id_of}] if defined $step->{id_of};
	if ($step->{dests} || $step->{lists}) {
		my ($dests, $lists) = ($step->{dests} // [], $step->{lists} // []);
		$pdu{dest_flag} = [(1) x @$dests, (2) x @$lists];
		$pdu{dest_addr_ton} = $pdu{dest_addr_npi} = [(1) x (@$dests + @$lists)];
		$pdu{destination_addr} = [@$dests, @$lists];
	}
	my %tlvs = %{$step->{tlvs} // {}};
	return $smpp->$command(async => 1, %pdu, map { $_ => pack('H*', $tlvs{$_}) } sort keys %tlvs);
}

# status is the command_status that a number asks for: a prefix and five digits.
sub status {
	my ($prefix, $number) = @_;
	return $number =~ /^\Q$prefix\E(\d{5})$/ ? 0 + $1 : 0;
}

1;
